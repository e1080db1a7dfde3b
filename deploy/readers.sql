-- A role for BI tools: it reads the views that hold no personal data, and nothing else. Run it by an administrator, once and again after
-- each upgrade that brings new views; twice does no harm, and tools go on reading meanwhile:
--
--     psql "$CRM_DATABASE_URL" --single-transaction -v ON_ERROR_STOP=1 -f deploy/readers.sql
--
-- Then give each tool a login of its own in it. The two settings belong to the login: PostgreSQL takes none from the roles it is in.
--
--     CREATE ROLE grafana LOGIN IN ROLE crm_reader;
--     ALTER ROLE grafana SET default_transaction_read_only = on;
--     ALTER ROLE grafana SET statement_timeout = '30s';
--     \password grafana

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'crm_reader') THEN
        CREATE ROLE crm_reader NOLOGIN;
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO crm_reader', current_database());
END
$$;

-- Views run with their owner's rights: the tables behind them stay closed.
GRANT USAGE ON SCHEMA public TO crm_reader;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM crm_reader;
GRANT SELECT ON
    v_order_facts, v_open_orders, v_unpaid, v_daily_sales, v_monthly_sales, v_payments, v_daily_collections, v_gst_monthly,
    v_freshness, v_coverage, v_ingest_log, v_late_changes
TO crm_reader;

-- Before PostgreSQL 15 everybody may make tables in this schema. Taking that away could stop an owner's migrations, so it is said, not done.
DO $$
BEGIN
    IF has_schema_privilege('crm_reader', 'public', 'CREATE') THEN
        RAISE WARNING 'crm_reader may make tables in schema public, as everybody may. GRANT CREATE ON SCHEMA public to the owner '
            'of the tables, then: REVOKE CREATE ON SCHEMA public FROM PUBLIC';
    END IF;
END
$$;

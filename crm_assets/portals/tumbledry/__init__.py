"""TumbleDry (``td``): ASP.NET pages behind a login, and a report app in an iframe that prepares exports in the background."""

from crm_assets.portals.contract import Portal
from crm_assets.portals.tumbledry.export import STRATEGIES, export
from crm_assets.portals.tumbledry.login import arrived, holds_session, open_login, sign_in, signed_in
from crm_assets.portals.tumbledry.reports import ORDER_REPORT, SALES_AND_DELIVERY
from crm_assets.portals.tumbledry.site import TumbleDrySite

PORTAL = Portal(
    title="TumbleDry",
    site=TumbleDrySite,
    reports=(ORDER_REPORT, SALES_AND_DELIVERY),
    signed_in=signed_in,
    open_login=open_login,
    sign_in=sign_in,
    arrived=arrived,
    holds_session=holds_session,
    addresses=TumbleDrySite.addresses,
    export=export,
    strategies=STRATEGIES,
)

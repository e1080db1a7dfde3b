"""UClean (``uc``): an Angular panel over an API; sessions last for weeks as a token in localStorage."""

from crm_assets.portals.contract import Portal
from crm_assets.portals.uclean.export import STRATEGIES, export
from crm_assets.portals.uclean.login import arrived, holds_session, open_login, sign_in, signed_in
from crm_assets.portals.uclean.reports import GST_REPORT
from crm_assets.portals.uclean.site import UCleanSite

PORTAL = Portal(
    title="UClean",
    site=UCleanSite,
    reports=(GST_REPORT,),
    signed_in=signed_in,
    open_login=open_login,
    sign_in=sign_in,
    arrived=arrived,
    holds_session=holds_session,
    addresses=UCleanSite.addresses,
    export=export,
    strategies=tuple(STRATEGIES),
)

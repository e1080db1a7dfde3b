"""UClean's addresses: hosts, paths, token key and parameter names, each replaceable under ``site`` in ``stores.yaml``.

The front end moved host once and took every stored session with it (localStorage is per origin); the API stayed.
"""

from pydantic import BaseModel, ConfigDict, Field


class UCleanSite(BaseModel):
    """Where UClean's pages and calls stand."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    panel: str = Field(default="https://storepanel.ucleanlaundry.com", pattern=r"^https?://[^/]+$")
    api: str = Field(default="https://store.ucleanlaundry.com", pattern=r"^https?://[^/]+$")
    token_key: str = "uclean_auth_token"  # noqa: S105 - the name of a localStorage entry
    other_token_keys: tuple[str, ...] = Field(
        default=("token", "uclean_auth_token"), description="looked for where the panel answers under another address"
    )
    login_path: str = "/login"
    login_call_path: str = "/api/v1/stores/login"
    home_path: str = "/dashboard"
    gst_report_path: str = "/gst-report"
    probe_path: str = "/api/v1/stores/report/tax-report?page=1&limit=1&export=false&franchise=UCLEAN"
    export_report_path: str = "/api/v1/sales/export-report?type=GST&format=excel"
    generate_gst_path: str = "/api/v1/stores/generateGST?franchise=UCLEAN"
    tax_report_path: str = (
        "/api/v1/stores/report/tax-report?sortBy=invoice_date&sortOrder=DESC&export=false&franchise=UCLEAN"
    )
    from_parameter: str = Field(default="from", description="name of the first day in export_report and tax_report")
    to_parameter: str = Field(default="to", description="name of the last day in export_report and tax_report")
    page_rows: int = Field(default=20, ge=1, description="rows of one tax_report page")

    def addresses(self) -> tuple[str, ...]:
        return self.panel, self.api

"""TumbleDry's addresses: hosts and paths, each replaceable under ``site`` in ``stores.yaml``. ``{code}`` is the store's code."""

from pydantic import BaseModel, ConfigDict, Field


class TumbleDrySite(BaseModel):
    """Where TumbleDry's pages stand."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subs: str = Field(default="https://subs.quickdrycleaning.com", pattern=r"^https?://[^/]+$")
    reports: str = Field(default="https://reports.quickdrycleaning.com", pattern=r"^https?://[^/]+$")
    login_path: str = "/{code}"
    home_path: str = "/{code}/App/home"
    order_report_path: str = "/{code}/App/Reports/OrderReport.aspx"
    sales_and_delivery_path: str = "/{code}/App/Reports/NEWSalesAndDeliveryReport"
    report_seconds: int = Field(default=300, ge=1, description="how long a requested report may take")
    home_lasts_seconds: float = Field(
        default=1.5,
        gt=0,
        description="how long home must stay before it is believed: some logins are sent back, some popups late",
    )
    list_seconds: float = Field(
        default=5, gt=0, description="how long the request list is watched before it is opened anew; then twice as long"
    )

    def login(self, code: str) -> str:
        return self.subs + self.login_path.format(code=code)

    def home(self, code: str) -> str:
        return self.subs + self.home_path.format(code=code)

    def report(self, name: str, code: str) -> str:
        """The page around a report of ``reports.py``; its path is the field named after it."""
        path: str = getattr(self, f"{name}_path")
        return self.subs + path.format(code=code)

    def addresses(self) -> tuple[str, ...]:
        return self.subs, self.reports

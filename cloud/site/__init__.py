"""The plant as the cloud knows it: zones, what is installed in them since when, and the limits that hold there."""

from cloud.site.apply import SiteChanges, apply_site
from cloud.site.contexts import Span, record_span, spans_between
from cloud.site.repository import Zone, ZoneLimit, limits_of_zone, observations, zone_by_key, zones
from cloud.site.site_file import SiteFile, read_site, with_on_delay

__all__ = [
    "SiteChanges",
    "SiteFile",
    "Span",
    "Zone",
    "ZoneLimit",
    "apply_site",
    "limits_of_zone",
    "observations",
    "read_site",
    "record_span",
    "spans_between",
    "with_on_delay",
    "zone_by_key",
    "zones",
]

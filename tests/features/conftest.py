from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings

# Shrinking compares whole tables again and again; a failing table is small as it is drawn.
settings.register_profile(
    "tables",
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tables")

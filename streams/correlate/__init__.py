"""From matches to firings to alerts: windows, conditions, episodes, severity, paging."""

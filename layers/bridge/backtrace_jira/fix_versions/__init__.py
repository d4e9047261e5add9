"""fix_versions."""

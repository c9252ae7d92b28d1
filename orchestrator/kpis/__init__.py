"""Figures about journeys: what a `kpi` document counts, over what happened to people. Pure, as the engine is."""

"""What a page shows: pictures in a fixed range, curves, tables of shades, widgets, live source."""

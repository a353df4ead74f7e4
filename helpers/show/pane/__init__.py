"""The chat pane of the studio: a line to type in, the picture of a job with its buttons, and all jobs so far.

It is given a session (`helpers.systems.studio.Session`) and knows nothing of how pictures are drawn. All can be done
with a keyboard alone: each button and each cell of a region is a stop of the Tab key, and each has a command in words.
"""

from .chat import StudioPane
from .region_cells import RegionCells, boxes_of

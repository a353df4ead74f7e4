"""For authors: the map of the notes, publishing, checks, scores; and the doctor, who looks at this computer."""

from .machine import give_back_after_cells

give_back_after_cells()  # every page imports this room in its first cell

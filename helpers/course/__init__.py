"""For authors: the map of the notes, publishing, checks, scores; and the doctor, who looks at this computer."""

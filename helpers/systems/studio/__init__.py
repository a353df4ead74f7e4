"""A studio in the manner of Midjourney, over this course's own networks: commands in, grids of four pictures out.

    commands    one command, /imagine prompt: ... --seed 7, read and written; what is wrong with one, in a sentence
    lines       a command and the buttons pressed after it, in one line: all that a picture needs to be drawn again
    chaos       the noise of four pictures, alike or not, and words that a caption loses
    worlds      what can be drawn: a network, its sampler, its hands
    drawing     a line -> pictures
    png_files   a picture with its line in the file, and back
    session     the jobs of a sitting, in their order, and what waits to be drawn

Nobody outside knows how Midjourney does any of this. The names and ranges of its parameters are its own, from its
documentation; what each does here is an analogy, and said to be one.
"""

from .commands import CommandError, Imagine, read_command, write_command
from .drawing import Drawing, Studio
from .lines import Line, Press, read_line, write_line
from .png_files import read_png, write_png
from .session import Answer, Job, Session
from .worlds import World

"""The face in systems that people build on; each file needs the extra of its name.

Nothing imports these files but who uses them, so that none of the packages need be
there for the others.
"""

"""Where a certificate comes from: one file for each source, the same for every target.

Each takes what is wanted and where it belongs, looks at what is there, and says what has to change; a pair
that is there, fits and is not near its end is kept, so that a second run changes nothing.
"""

"""
Nouns: settlements, facilities, homesteads, the catalogue of categories and standards, the sample county.

What belongs here: what a thing is called in a county's files, how a row becomes a checked record, and the
policy as data. What does not: algorithms, and words that a planner reads.

Invariant: every input row comes out; one that cannot be used says why in a ``Problem`` that names its file,
sheet, row and column.
"""

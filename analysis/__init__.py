"""
Verbs: access, circle, gaps, reclamation, and the laws their results must obey.

What belongs here: how checked records become numbers. What does not: files, drawing, words.

Invariants: every place comes out for every category asked, with a status; a limit belongs to what it limits;
people are counted once.
"""

"""
Voices: the map, the workbook, the result store, and every sentence a planner reads.

What belongs here: turning finished tables into things to look at, in Chinese or English. What does not:
computing a result, and results themselves: products go to a run folder, this folder holds code.
"""

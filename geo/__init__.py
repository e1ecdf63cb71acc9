"""
Ground: coordinates, files, street graphs, terrain, travel time.

What belongs here: everything that would be the same if the subject were parcels in another country. What does
not: any domain noun, any threshold, any sentence a planner reads, the environment, the clock.

Invariants: positions inside the program are longitude and latitude in degrees (WGS-84, taken as equal to
CGCS2000); lengths are geodesic metres and areas ellipsoidal square metres, never planar ones of a shared
projection; travel costs are integer milliseconds; what was not reached is NaN.
"""

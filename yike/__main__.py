"""``python -P -m yike`` is the command ``yike``."""

from yike.cli import main

if __name__ == "__main__":
    main()

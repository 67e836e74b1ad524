"""Runs the mapper: `python -m mapper_exactonline`."""

from mapper_exactonline.mapper import MapperExactOnline

if __name__ == "__main__":
    MapperExactOnline.cli()

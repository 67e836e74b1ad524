"""Matches companies that grew apart, by the rules alone, and holds the ties against the truth.

python benchmarks/matching.py
python benchmarks/matching.py --companies 2 --customers 200
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from matching_figures import MATCH_ON, figures
from matching_world import matching_world
from tables import goal, table, title


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=10)
    parser.add_argument("--customers", type=int, default=800)
    parser.add_argument("--seed", type=int, default=14)
    given = parser.parse_args()
    found = figures(matching_world(given.seed, given.companies, given.customers))
    title(f"Matching of {given.customers} customers in {given.companies} companies that grew apart, seed {given.seed}")
    rows = [(rule, found.right[rule], sum(tie[2] == rule for tie in found.wrong)) for rule in MATCH_ON]
    table(("rule", "right", "wrong"), rows)
    print(f"\ntold: {', '.join(f'{count} {kind}' for kind, count in sorted(found.told.items()))}")
    print(f"created: {found.created}; of {found.findable} that a company has once {found.found} are tied")
    print(f"seconds: {found.seconds:.2f}\n")
    is_met = goal("precision of ties", found.precision, at_least=0.999)
    is_met &= goal("recall", found.recall, at_least=0.95)
    is_met &= goal("created although a rule could have found them:", len(found.missed), at_most=0)
    return 0 if is_met else 1


if __name__ == "__main__":
    raise SystemExit(main())

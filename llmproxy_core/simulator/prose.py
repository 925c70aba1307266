"""What the simulated models say: Markdown of the kind that real ones write."""

ANSWERS = (
    "The test fails because the fixture is created **once per session**, while the test changes "
    "it. Give each test its own copy:\n\n```python\n@pytest.fixture\ndef settings():\n"
    "    return dict(DEFAULTS)\n```\n\nAfter that the order of the tests no longer matters.",
    "There are three ways to do it:\n\n1. **Index the column.** Cheapest, and enough if the filter "
    "is selective.\n2. **Partition by month.** Dropping an old partition takes no time.\n"
    "3. **Precompute.** Only worth it when the same question is asked every second.\n\n"
    "I would start with the first and measure.",
    "Here is a short summary.\n\n| quarter | revenue | change |\n|---|---:|---:|\n| Q1 | 4.2 M | "
    "+3 % |\n| Q2 | 4.6 M | +9 % |\n| Q3 | 4.4 M | -4 % |\n\nThe dip in Q3 comes from the two weeks "
    "in which the shop was closed for the move.",
    "Yes. `git rebase --onto main feature~3 feature` replays the last three commits on `main`. "
    "If something goes wrong, `git reset --hard ORIG_HEAD` brings the old branch back.",
    "Dear Ms. Moreau,\n\nthank you for your message. The replacement part was sent this morning and "
    "should arrive on Thursday. You do not need to return the broken one.\n\nKind regards",
    "The function reads the whole file into memory before it splits it. For a file of 2 GB that is "
    "2 GB and a copy. Iterate over the file instead:\n\n```python\nwith open(path) as lines:\n"
    "    for line in lines:\n        handle(line)\n```\n\nMemory then stays flat at one line.",
    "Paris is the capital of France. It has been so, with short breaks, since the tenth century; "
    "the most recent break was the government in Vichy from 1940 to 1944.",
    "I looked at the log. The first error is at 03:12, *before* the deployment, so the deployment "
    "did not cause it. At 03:11 the certificate of the payment service expired; everything after "
    "that is a consequence.\n\n- renew the certificate\n- add an alert 14 days before expiry",
)

THOUGHTS = (
    "The person asks for a cause, so first find what changed, then what it explains.",
    "Let me check the simple explanation before the clever one. The numbers agree with it.",
    "There are several options; rank them by cost and say which one I would take.",
)

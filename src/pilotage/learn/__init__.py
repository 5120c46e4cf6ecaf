"""A map of skills and projects to practise them; out comes what holds, by the product's own words.

It looks at reports, records, verdicts and ledgers, and never at how somebody wrote their code.
"""

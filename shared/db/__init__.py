"""PostgreSQL: a pool, plain-SQL migrations, and one repository module per table group.

Every query on a tenant's data takes the tenant as a parameter of the repository's method.
"""

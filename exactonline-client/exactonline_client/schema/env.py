"""What alembic runs before the scripts of a set of tables; `bring_up_to_date` hands it an open transaction."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
)
context.run_migrations()

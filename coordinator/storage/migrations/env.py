# SPDX-License-Identifier: Apache-2.0
"""Run the migrations on the connection that ``migrating`` hands over, in its transaction."""

from alembic import context

from coordinator.storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()

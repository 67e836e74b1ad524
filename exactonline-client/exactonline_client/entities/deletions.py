"""The deletion log: what left a division in the last two months."""

from dataclasses import replace

from exactonline_client.entities.model import Entity, Field, Trait

DELETIONS = Entity(
    name="deletion",
    path="sync/Deleted",
    sync_path="sync/Deleted",
    docs="https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SyncDeleted",
    declared=(
        Field("Timestamp", "Int64", "row version of the deletion", Trait.READ_ONLY | Trait.FILTERABLE),
        Field("ID", "Guid", "key of the log entry", Trait.READ_ONLY),
        Field("EntityKey", "Guid", "key that the deleted row had", Trait.READ_ONLY),
        Field("EntityType", "Int32", "kind of row: 2 is an account", Trait.READ_ONLY | Trait.FILTERABLE),
        Field("DeletedBy", "Guid", "user who deleted it", Trait.READ_ONLY),
        Field("DeletedDate", "DateTime", "when it was deleted", Trait.READ_ONLY),
        Field("Division", "Int32", "division it was in", Trait.READ_ONLY),
    ),
)


def deletions_of(entity: Entity) -> Entity:
    """Return the deletion log with the rows of one entity only."""
    return replace(DELETIONS, name=f"{entity.name} {DELETIONS.name}", deleted_type=entity.deleted_type)

-- What face processes need to keep a tenant's templates in memory in step with the table: a number that rises with
-- every statement that changes the tenant's templates, and which templates the last changes touched.
--
-- Triggers, not the repository, keep it: whatever writes to templates (registration, deletion, an import, a cascade) is
-- seen. The row lock on template_revisions lasts until the writer's commit, so revisions become visible in their order
-- and a reader that knows revision n misses nothing by asking for what came after n. Its price: the writers of one tenant
-- take turns.

CREATE SEQUENCE template_ids;
ALTER TABLE templates ADD COLUMN id bigint NOT NULL DEFAULT nextval('template_ids');
ALTER SEQUENCE template_ids OWNED BY templates.id;
CREATE UNIQUE INDEX templates_id ON templates (tenant_id, id);

-- No foreign key to tenants: deleting one cascades through its templates, and their trigger writes here after the
-- tenant is gone. What remains of it is a number.
CREATE TABLE template_revisions (
    tenant_id bigint PRIMARY KEY,
    revision  bigint NOT NULL,
    log_start bigint NOT NULL,   -- template_changes is complete for the revisions after this one
    templates bigint NOT NULL    -- of every engine and model
) WITH (fillfactor = 50);

-- Numbers of templates, never of users: a deleted user's code must not live on here.
CREATE TABLE template_changes (
    tenant_id   bigint NOT NULL,
    revision    bigint NOT NULL,
    template_id bigint NOT NULL,
    PRIMARY KEY (tenant_id, revision, template_id)
);

INSERT INTO template_revisions SELECT tenant_id, 1, 1, count(*) FROM templates GROUP BY tenant_id;

-- Who has missed more than 1,000 revisions, or one that changed more than 1,000 templates, reads everything again:
-- by then that is no slower than the changes, and the log stays short.
CREATE FUNCTION note_template_changes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    added CONSTANT integer := CASE TG_OP WHEN 'INSERT' THEN 1 WHEN 'DELETE' THEN -1 ELSE 0 END;
BEGIN
    WITH bumped AS (
        INSERT INTO template_revisions AS known (tenant_id, revision, log_start, templates)
        SELECT tenant_id, 1, CASE WHEN count(*) > 1000 THEN 1 ELSE 0 END, added * count(*)
        FROM changed GROUP BY tenant_id ORDER BY tenant_id
        ON CONFLICT (tenant_id) DO UPDATE SET
            revision = known.revision + 1,
            log_start = CASE excluded.log_start WHEN 1 THEN known.revision + 1
                        ELSE greatest(known.log_start, known.revision - 999) END,
            templates = known.templates + excluded.templates
        RETURNING tenant_id, revision, log_start
    ), pruned AS (
        DELETE FROM template_changes USING bumped
        WHERE template_changes.tenant_id = bumped.tenant_id AND template_changes.revision <= bumped.log_start
    )
    INSERT INTO template_changes (tenant_id, revision, template_id)
    SELECT tenant_id, revision, id FROM changed JOIN bumped USING (tenant_id) WHERE log_start < revision;
    RETURN NULL;
END $$;

CREATE TRIGGER template_inserted AFTER INSERT ON templates
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_template_changes();
CREATE TRIGGER template_updated AFTER UPDATE ON templates
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_template_changes();
CREATE TRIGGER template_deleted AFTER DELETE ON templates
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_template_changes();

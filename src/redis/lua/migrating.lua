-- For the scripts of a migration, which change one tenant. A note in the tenant's own slot keeps a process that hung, and
-- lost the lease of all this, from changing again what others have migrated, and perhaps changed since, in its place.
-- Both take the key of the note, as `migrationNote` names it, and the number of the migration.

-- Whether the tenant is still to be migrated.
local function awaits(note, number)
    return tonumber(redis.call('GET', note) or '0') < tonumber(number)
end

-- Nothing of the tenant is left to be migrated. A week is longer than any process hangs.
local function is_migrated(note, number)
    redis.call('SET', note, number, 'EX', 604800)
end

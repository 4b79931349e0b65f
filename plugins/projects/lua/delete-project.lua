-- Delete a project: at once when there is nothing in it, or else nothing more can be put in it from now on.
-- KEYS[1] project · KEYS[2] events · KEYS[3] audit · KEYS[4] the user's projects · KEYS[5] the same by name, in lower case
-- KEYS[6] the tenant's projects that are being deleted · then keys that exist while something is in it
-- ARGV[1] JSON {id, ownerField, ownerId, revision?, deleted: {events, audit}, deleting: {events, audit}}
-- Returns 2 deleted, 1 it is being deleted, 0 not found, -1 another revision
-- @include now
-- @include outbox
-- @include guard
-- @include remove-project
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return allowed end

local at = now()
if is_empty() then
    remove_project(change.id)
    append_entries(KEYS[2], KEYS[3], change.deleted, at)
    return 2
end
if redis.call('HGET', KEYS[1], 'status') == 'deleting' then return 1 end
local time = string.format('%d', at)
redis.call('HSET', KEYS[1], 'status', 'deleting', 'updatedAt', time)
redis.call('HINCRBY', KEYS[1], 'revision', 1)
redis.call('ZADD', KEYS[6], time, change.id)
append_entries(KEYS[2], KEYS[3], change.deleting, at)
return 1

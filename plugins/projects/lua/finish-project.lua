-- Remove a project whose deletion was asked for, once there is nothing in it.
-- KEYS[1] project · KEYS[2] events · KEYS[3] audit · KEYS[4] the user's projects · KEYS[5] the same by name, in lower case
-- KEYS[6] the tenant's projects that are being deleted · then keys that exist while something is in it
-- ARGV[1] JSON {id, events, audit}
-- Returns 1 it is gone, 0 it is not
-- @include now
-- @include outbox
-- @include remove-project
local change = cjson.decode(ARGV[1])
local status = redis.call('HGET', KEYS[1], 'status')
if not status then
    redis.call('ZREM', KEYS[6], change.id)
    return 1
end
if status ~= 'deleting' or not is_empty() then return 0 end
remove_project(change.id)
append_entries(KEYS[2], KEYS[3], change, now())
return 1

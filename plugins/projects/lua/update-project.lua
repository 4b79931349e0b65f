-- Change name and description of a project.
-- KEYS[1] project · KEYS[2] events · KEYS[3] audit · KEYS[4] the user's projects by name, in lower case
-- ARGV[1] JSON {id, ownerField, ownerId, revision?, name?, set: [field, value, …], remove: [field, …], events, audit}
-- Returns {1, {field, value, …}} the whole project, {0} not found, {-1} another revision, {-2} it is being deleted,
-- {-3} the name is taken
-- @include now
-- @include outbox
-- @include guard
-- @include rename
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return { allowed } end

if redis.call('HGET', KEYS[1], 'status') ~= 'active' then return { -2 } end
if change.name and not rename(KEYS[1], KEYS[4], change.id, change.name) then return { -3 } end
local at = now()
redis.call('HSET', KEYS[1], 'updatedAt', string.format('%d', at), unpack(change.set))
redis.call('HINCRBY', KEYS[1], 'revision', 1)
if #change.remove > 0 then redis.call('HDEL', KEYS[1], unpack(change.remove)) end
append_entries(KEYS[2], KEYS[3], change, at)
return { 1, redis.call('HGETALL', KEYS[1]) }

-- Give a VM another name.
-- KEYS[1] VM · KEYS[2] events · KEYS[3] audit · KEYS[4] the project's VMs by name, in lower case
-- ARGV[1] JSON {id, ownerField, ownerId, revision?, name, events, audit}
-- Returns {1, {field, value, …}} the whole VM, {0} not found, {-1} another revision, {-2} the name is taken
-- @include now
-- @include outbox
-- @include guard
-- @include vm-status
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return { allowed } end

local name = change.name:lower()
local holder = redis.call('HGET', KEYS[4], name)
if holder and holder ~= change.id then return { -2 } end
redis.call('HDEL', KEYS[4], redis.call('HGET', KEYS[1], 'name'):lower())
redis.call('HSET', KEYS[4], name, change.id)
local at = now()
redis.call('HSET', KEYS[1], 'name', change.name)
touch(KEYS[1], at)
append_entries(KEYS[2], KEYS[3], change, at)
return { 1, redis.call('HGETALL', KEYS[1]) }

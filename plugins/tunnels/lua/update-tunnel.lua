-- Change name and configuration of a tunnel.
-- KEYS[1] tunnel · KEYS[2] events · KEYS[3] audit · KEYS[4] activity · KEYS[5] the user's tunnels by name, in lower case
-- ARGV[1] JSON {id, ownerField, ownerId, revision?, name?, defaults?, config, events, audit, userId}
--               `defaults`: what the configuration goes back to, before what `config` names
-- ARGV[2] channel · ARGV[3] message that tells of it
-- Returns {1, {field, value, …}} the whole tunnel, {0} not found, {-1} another revision, {-2} the name is taken
-- @include now
-- @include outbox
-- @include guard
-- @include tunnel-status
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return { allowed } end

local before, stored = unpack(redis.call('HMGET', KEYS[1], 'name', 'config'))
if change.name then
    local name = change.name:lower()
    local holder = redis.call('HGET', KEYS[5], name)
    if holder and holder ~= change.id then return { -2 } end
    redis.call('HDEL', KEYS[5], before:lower())
    redis.call('HSET', KEYS[5], name, change.id)
    redis.call('HSET', KEYS[1], 'name', change.name)
end
local config = change.defaults or cjson.decode(stored)
for field, value in pairs(change.config) do config[field] = value end
redis.call('HSET', KEYS[1], 'config', cjson.encode(config))
local at = now()
touch(KEYS[1], at)
append_entries(KEYS[2], KEYS[3], change, at)
note(KEYS[4], 'updated', { 'userId', change.userId })
redis.call('PUBLISH', ARGV[2], ARGV[3])
return { 1, redis.call('HGETALL', KEYS[1]) }

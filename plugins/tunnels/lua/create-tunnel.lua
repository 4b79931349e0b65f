-- Create a tunnel, unless its user has as many as the tier allows.
-- KEYS[1] tunnel · KEYS[2] events · KEYS[3] audit · KEYS[4] activity · KEYS[5] the user's tunnels
-- KEYS[6] the same by name, in lower case · KEYS[7] tenant
-- ARGV[1] JSON {id, name, fields: [field, value, …], most, events, audit, userId}; the tenant's own figure goes before `most`
-- Returns {1, time} created, {-1} the name is taken, {-2, most} the user has so many
-- @include now
-- @include outbox
-- @include quota
-- @include tunnel-status
local change = cjson.decode(ARGV[1])
local name = change.name:lower()
if redis.call('HEXISTS', KEYS[6], name) == 1 then return { -1 } end
local most = quota_of(redis.call('HGET', KEYS[7], 'limits'), 'tunnels', change.most)
if most and redis.call('ZCARD', KEYS[5]) >= most then return { -2, most } end

local at = now()
local time = string.format('%d', at)
redis.call('HSET', KEYS[1], 'id', change.id, 'revision', 1, 'createdAt', time, 'updatedAt', time,
    'tokenChangedAt', time, unpack(change.fields))
redis.call('ZADD', KEYS[5], time, change.id)
redis.call('HSET', KEYS[6], name, change.id)
append_entries(KEYS[2], KEYS[3], change, at)
note(KEYS[4], 'created', { 'userId', change.userId })
return { 1, at }

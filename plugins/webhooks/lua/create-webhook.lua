-- Create a webhook, unless the tenant has as many as it may.
-- KEYS[1] webhook · KEYS[2] events · KEYS[3] audit · KEYS[4] the tenant's webhooks
-- ARGV[1] JSON {id, fields: [field, value, …], most, events, audit}
-- Returns {1, time} created, {-1} the tenant has so many
-- @include now
-- @include outbox
local change = cjson.decode(ARGV[1])
if redis.call('ZCARD', KEYS[4]) >= change.most then return { -1 } end
local at = now()
local time = string.format('%d', at)
redis.call('HSET', KEYS[1], 'id', change.id, 'revision', 1, 'createdAt', time, 'updatedAt', time, unpack(change.fields))
redis.call('ZADD', KEYS[4], time, change.id)
append_entries(KEYS[2], KEYS[3], change, at)
return { 1, at }

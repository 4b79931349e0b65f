-- Create a service API key, unless its user has as many as the tier allows.
-- KEYS[1] key · KEYS[2] the user's keys · KEYS[3] tenant · KEYS[4] events · KEYS[5] audit
-- ARGV[1] JSON {id, fields: [field, value, …], most, events, audit}; the tenant's own figure goes before `most`
-- Returns {1, time} created, {0, most} the user has so many
-- @include now
-- @include outbox
local change = cjson.decode(ARGV[1])
local overrides = redis.call('HGET', KEYS[3], 'limits')
local most = overrides and cjson.decode(overrides).apiKeys or change.most
if redis.call('ZCARD', KEYS[2]) >= most then return { 0, most } end

local at = now()
local time = string.format('%d', at)
redis.call('HSET', KEYS[1], 'id', change.id, 'revision', 1, 'createdAt', time, 'updatedAt', time, unpack(change.fields))
redis.call('ZADD', KEYS[2], time, change.id)
append_entries(KEYS[4], KEYS[5], change, at)
return { 1, at }

-- Create a proxy, unless its user has as many as the tier allows.
-- KEYS[1] proxy · KEYS[2] events · KEYS[3] audit · KEYS[4] the user's proxies · KEYS[5] the same by name, in lower case
-- KEYS[6] tenant
-- ARGV[1] JSON {id, name, fields: [field, value, …], replicas, most, mostReplicas, events, audit}; the tenant's own
--         figures go before `most` and `mostReplicas`
-- Returns {1, time} created, {-1} the name is taken, {-2, most} the user has so many, {-3, most} so many replicas are
--         allowed
-- @include now
-- @include outbox
-- @include quota
local change = cjson.decode(ARGV[1])
local name = change.name:lower()
if redis.call('HEXISTS', KEYS[5], name) == 1 then return { -1 } end
local limits = redis.call('HGET', KEYS[6], 'limits')
local most = quota_of(limits, 'proxies', change.most)
if most and redis.call('ZCARD', KEYS[4]) >= most then return { -2, most } end
local replicas = quota_of(limits, 'replicasPerProxy', change.mostReplicas)
if replicas and change.replicas > replicas then return { -3, replicas } end

local at = now()
local time = string.format('%d', at)
redis.call('HSET', KEYS[1], 'id', change.id, 'revision', 1, 'createdAt', time, 'updatedAt', time,
    'statusChangedAt', time, unpack(change.fields))
redis.call('ZADD', KEYS[4], time, change.id)
redis.call('HSET', KEYS[5], name, change.id)
append_entries(KEYS[2], KEYS[3], change, at)
return { 1, at }

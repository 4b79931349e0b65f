-- Change fields of one record, with its unique indexes, orders, events and audit entries.
-- KEYS[1] record · KEYS[2] events · KEYS[3] audit · then the unique index of each field in `unique` · then the orders
--         by updatedAt
-- ARGV[1] JSON {id, ownerField?, ownerId?, revision?, set: [field, value, …], remove: [field, …],
--               unique: [{field, value}], events, audit}
-- Returns {1, {field, value, …}} the whole record, {0} not found, {-1} another revision, {-2, n} unique value n taken
-- @include now
-- @include outbox
-- @include guard
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return { allowed } end

for n, unique in ipairs(change.unique) do
    local holder = redis.call('HGET', KEYS[3 + n], unique.value)
    if holder and holder ~= change.id then return { -2, n } end
end

for n, unique in ipairs(change.unique) do
    local before = redis.call('HGET', KEYS[1], unique.field)
    if before then redis.call('HDEL', KEYS[3 + n], before) end
    redis.call('HSET', KEYS[3 + n], unique.value, change.id)
end
local at = now()
local time = string.format('%d', at)
redis.call('HSET', KEYS[1], 'updatedAt', time, unpack(change.set))
redis.call('HINCRBY', KEYS[1], 'revision', 1)
if #change.remove > 0 then redis.call('HDEL', KEYS[1], unpack(change.remove)) end
for n = 4 + #change.unique, #KEYS do redis.call('ZADD', KEYS[n], time, change.id) end
append_entries(KEYS[2], KEYS[3], change, at)
return { 1, redis.call('HGETALL', KEYS[1]) }

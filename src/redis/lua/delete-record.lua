-- Delete one record with its unique indexes and orders; append its events and audit entries.
-- KEYS[1] record · KEYS[2] events · KEYS[3] audit · then the unique index of each field in `unique` · then the orders
-- ARGV[1] JSON {id, ownerField?, ownerId?, revision?, unique: [field, …], events, audit}
-- Returns {1, {field, value, …}} what the record was, {0} not found, {-1} another revision
-- @include now
-- @include outbox
-- @include guard
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return { allowed } end

local record = redis.call('HGETALL', KEYS[1])
for n, field in ipairs(change.unique) do redis.call('HDEL', KEYS[3 + n], redis.call('HGET', KEYS[1], field)) end
for n = 4 + #change.unique, #KEYS do redis.call('ZREM', KEYS[n], change.id) end
redis.call('UNLINK', KEYS[1])
append_entries(KEYS[2], KEYS[3], change, now())
return { 1, record }

-- Create a schedule, unless the tenant has as many as there may be.
-- KEYS[1] schedules by creation · KEYS[2] set when the first were made · KEYS[3] what their keys begin with
-- KEYS[4] events · KEYS[5] audit · KEYS[6] schedules by their next time
-- ARGV[1] JSON {id, fields: [field, value, …], next?, most, defaults: [{id, fields}, …], events, audit}
-- Returns {1, time} created, {0} the tenant has so many
-- @include now
-- @include outbox
-- @include default-schedules
local change = cjson.decode(ARGV[1])
local at = now()
make_defaults(KEYS[2], change.defaults, KEYS[1], KEYS[3], at)
if redis.call('ZCARD', KEYS[1]) >= change.most then return { 0 } end
put_schedule(change, KEYS[1], KEYS[3], at)
if change.next then redis.call('ZADD', KEYS[6], change.next, change.id) end
append_entries(KEYS[4], KEYS[5], change, at)
return { 1, at }

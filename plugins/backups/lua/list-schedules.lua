-- All schedules of a tenant, oldest first; those that every tenant has are made unless they were.
-- KEYS[1] schedules by creation · KEYS[2] set when the first were made · KEYS[3] what their keys begin with
-- ARGV[1] JSON [{id, fields: [field, value, …]}, …] those that every tenant has
-- Returns {{field, value, …}, …}
-- @include now
-- @include default-schedules
make_defaults(KEYS[2], cjson.decode(ARGV[1]), KEYS[1], KEYS[3], now())
local found = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    found[#found + 1] = redis.call('HGETALL', KEYS[3] .. id)
end
return found

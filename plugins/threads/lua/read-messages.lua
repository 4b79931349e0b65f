-- Read messages of a model's context, if the thread is the caller's.
-- KEYS[1] thread · KEYS[2] messages (stream) · for a call also: KEYS[3] the owner's profile · KEYS[4] the owner's API keys
-- KEYS[5] tenant · KEYS[6] the context's summary
-- ARGV[1] owner · ARGV[2] asc | desc · ARGV[3] id of the last entry seen, or '' · ARGV[4] how many
-- ARGV[5] … for a call: names of the API keys it needs
-- Returns {1, length of the stream, {{entry id, {field, value, …}}, …}, {profile field, value, …}?, {sealed key, …}?,
--          JSON of the tenant's settings?, {field, value, …} of the summary?}
--         {0} no such thread of that owner
if redis.call('HGET', KEYS[1], 'userId') ~= ARGV[1] then return { 0 } end
local from = ARGV[3] ~= '' and '(' .. ARGV[3]
local found
if ARGV[2] == 'desc' then
    found = redis.call('XREVRANGE', KEYS[2], from or '+', '-', 'COUNT', ARGV[4])
else
    found = redis.call('XRANGE', KEYS[2], from or '-', '+', 'COUNT', ARGV[4])
end
if not KEYS[3] then return { 1, redis.call('XLEN', KEYS[2]), found } end
local sealed = ARGV[5] and redis.call('HMGET', KEYS[4], unpack(ARGV, 5)) or {}
local settings, summary = redis.call('HGET', KEYS[5], 'settings'), redis.call('HGETALL', KEYS[6])
return { 1, redis.call('XLEN', KEYS[2]), found, redis.call('HGETALL', KEYS[3]), sealed, settings, summary }

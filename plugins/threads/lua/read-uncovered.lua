-- Read what the next summary of a model's context is made of, if the thread is the caller's.
-- KEYS[1] thread · KEYS[2] messages (stream) · KEYS[3] the owner's profile · KEYS[4] the owner's API keys
-- KEYS[5] summary
-- ARGV[1] owner · ARGV[2] how many messages · ARGV[3] … names of the API keys that the call needs
-- Returns {1, length of the stream, {{entry id, {field, value, …}}, …} oldest first, {profile field, value, …},
--          {sealed key, …}, {field, value, …} of the summary there is}
--         {0} no such thread of that owner
if redis.call('HGET', KEYS[1], 'userId') ~= ARGV[1] then return { 0 } end
local up_to = redis.call('HGET', KEYS[5], 'upTo')
local found = redis.call('XRANGE', KEYS[2], up_to and '(' .. up_to or '-', '+', 'COUNT', ARGV[2])
local sealed = ARGV[3] and redis.call('HMGET', KEYS[4], unpack(ARGV, 3)) or {}
local profile, summary = redis.call('HGETALL', KEYS[3]), redis.call('HGETALL', KEYS[5])
return { 1, redis.call('XLEN', KEYS[2]), found, profile, sealed, summary }

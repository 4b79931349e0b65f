-- Read messages of a model's context, if the thread is the caller's.
-- KEYS[1] thread · KEYS[2] messages (stream)
-- ARGV[1] owner · ARGV[2] asc | desc · ARGV[3] id of the last entry seen, or '' · ARGV[4] how many
-- Returns {1, length of the stream, {{entry id, {field, value, …}}, …}}, {0} no such thread of that owner
if redis.call('HGET', KEYS[1], 'userId') ~= ARGV[1] then return { 0 } end
local from = ARGV[3] ~= '' and '(' .. ARGV[3]
local found
if ARGV[2] == 'desc' then
    found = redis.call('XREVRANGE', KEYS[2], from or '+', '-', 'COUNT', ARGV[4])
else
    found = redis.call('XRANGE', KEYS[2], from or '-', '+', 'COUNT', ARGV[4])
end
return { 1, redis.call('XLEN', KEYS[2]), found }

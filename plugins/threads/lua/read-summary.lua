-- Read the summary of a model's context, if the thread is the caller's.
-- KEYS[1] thread · KEYS[2] summary
-- ARGV[1] owner
-- Returns {1, {field, value, …}} empty when there is none, {0} no such thread of that owner
if redis.call('HGET', KEYS[1], 'userId') ~= ARGV[1] then return { 0 } end
return { 1, redis.call('HGETALL', KEYS[2]) }

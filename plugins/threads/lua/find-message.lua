-- Find a message by its id, if the thread is the caller's: among the entries of a stretch of time, a few hundred at most.
-- KEYS[1] thread · KEYS[2] messages (stream)
-- ARGV[1] owner · ARGV[2] message · ARGV[3] and ARGV[4] first and last millisecond of the stretch
-- Returns {1, {entry id, {field, value, …}}?}, {0} no such thread of that owner
if redis.call('HGET', KEYS[1], 'userId') ~= ARGV[1] then return { 0 } end
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], ARGV[3], ARGV[4])) do
    for n = 1, #entry[2], 2 do
        if entry[2][n] == 'id' and entry[2][n + 1] == ARGV[2] then return { 1, entry } end
    end
end
return { 1 }

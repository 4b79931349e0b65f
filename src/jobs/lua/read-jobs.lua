-- Read what a list shows of jobs.
-- KEYS the jobs
-- ARGV names of fields
-- Returns for each {value or nil, …}
local jobs = {}
for n, key in ipairs(KEYS) do jobs[n] = redis.call('HMGET', key, unpack(ARGV)) end
return jobs

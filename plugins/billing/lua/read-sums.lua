-- Add up what a tenant was charged in several stretches of time.
-- KEYS[1] credits
-- ARGV[1] JSON {whole: [`<unit>:<date>`, …] whose sums are added up, series: [`<unit>:<date>`, …] of each the tenant's}
-- Returns {{what, sum, …}, {sum, …}}, sums in strings
local query = cjson.decode(ARGV[1])
local sums, names = {}, {}
for _, stretch in ipairs(query.whole) do
    local found = redis.call('HGETALL', KEYS[1] .. ':' .. stretch)
    for n = 1, #found, 2 do
        if not sums[found[n]] then names[#names + 1] = found[n] end
        sums[found[n]] = (sums[found[n]] or 0) + tonumber(found[n + 1])
    end
end
local flat, series = {}, {}
for _, name in ipairs(names) do
    flat[#flat + 1] = name
    flat[#flat + 1] = string.format('%.0f', sums[name])
end
for n, stretch in ipairs(query.series) do
    series[n] = redis.call('HGET', KEYS[1] .. ':' .. stretch, 'tenant') or '0'
end
return { flat, series }

-- How many a tenant's own figures allow, or else the tier; nil is no limit.
-- overrides: JSON of the tenant's figures, or false · of_tier: a number, or cjson.null
local function quota_of(overrides, name, of_tier)
    local most = of_tier
    local own = overrides and cjson.decode(overrides)[name]
    if own ~= nil and own ~= false then most = own end
    if most == cjson.null then return nil end
    return most
end

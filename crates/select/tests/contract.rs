//! Every strategy of the registry keeps the contract.
hybridrepair_testkit::strategy_contract! {
    random: nested,
    gini: nested,
    entropy: nested,
    margin: nested,
    max_softmax: nested,
    mcp,
    coreset: nested,
    coreset_source: nested,
    badge: nested,
    consistency: nested,
    power_entropy: nested,
    power_margin: nested,
    power_gini: nested,
    hybrid,
}

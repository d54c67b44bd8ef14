//! `haetae bench pages`: bytes on the wire of each page, with everything that it loads at once.

use super::Figure;

pub(crate) fn run() -> anyhow::Result<Vec<Figure>> {
    let dir = tempfile::tempdir()?;
    let house = sim::bench_house(&dir.path().join("region"))?;
    let runtime = tokio::runtime::Runtime::new()?;
    let weights = runtime.block_on(sim::page_weights(&house))?;
    house.app.store.close();
    let bytes = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let mut figures = Vec::new();
    for it in weights {
        figures.push(Figure::alone(format!("pages.first_view {}", it.path), bytes(it.bytes), "B"));
        let requests = format!("pages.requests {}", it.path);
        figures.push(Figure::alone(requests, bytes(it.requests), "req"));
    }
    Ok(figures)
}

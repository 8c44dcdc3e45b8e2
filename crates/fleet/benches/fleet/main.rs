//! limit test only for now
mod limit;
fn ready() {
    use std::io::Write;
    println!("ready");
    std::io::stdout().flush().unwrap();
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let n: u32 = a[2].parse().unwrap();
    match a[1].as_str() {
        "server" => limit::serve(6999, n).unwrap(),
        _ => println!("{}", limit::measure(6999, n, 3).unwrap()),
    }
}

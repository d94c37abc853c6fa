fn main(){}
mod guide;
